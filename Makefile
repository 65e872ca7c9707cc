# For fingers used to make; ./dev does the work.
.PHONY: demo test integrations lint build deb
demo test integrations lint build deb:
	@./dev $@
