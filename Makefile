# For fingers used to make; ./dev does the work.
.PHONY: demo test lint build
demo test lint build:
	@./dev $@
