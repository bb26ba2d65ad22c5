"""One module a step of the schema; a step that has been released is never changed."""
