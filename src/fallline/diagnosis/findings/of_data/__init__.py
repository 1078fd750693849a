"""The findings about models with their data. They import the models, so that other runs do without them."""
