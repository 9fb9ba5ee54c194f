"""`python -m imgcls`."""

from imgcls.cli.main import main

main()
