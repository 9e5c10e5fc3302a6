"""Statements: from numbers to sentences, by rule. Nobody softens or sharpens them by hand."""
