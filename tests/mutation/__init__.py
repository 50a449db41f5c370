"""Mutation testing: would the tests notice if the code said something else?"""
