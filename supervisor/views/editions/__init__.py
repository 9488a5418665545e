"""The pages of editions: lists, drafts, what they would do, and publishing them."""
