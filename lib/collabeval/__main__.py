"""`python -m collabeval`: the command line."""

from collabeval.cli import main

if __name__ == "__main__":
    main()
