"""The core's own plugin: one file a component, offered through the door that strangers use."""
