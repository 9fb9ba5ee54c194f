"""`python -m imgcls`."""

from imgcls.cli.start import main

main()
