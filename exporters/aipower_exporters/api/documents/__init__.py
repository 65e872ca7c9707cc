"""What the API answers: one struct for each JSON object, from which the OpenAPI document is made."""
