"""One file a use case: the command and its handler, named as the sentence one would say."""
