"""The GenAI semantic conventions, old and new spellings, as the frameworks that follow them emit them."""
