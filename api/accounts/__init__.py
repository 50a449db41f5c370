"""Surface T: the activities of accounts, in camel case, over the same commands and questions as surface S."""
