"""What the REST APIs share. (Nothing is imported here: the framework's own settings name modules of this room.)"""
