"""What `publish` puts on the Hub: the models, a Space that serves them, a collection that ties them together."""
