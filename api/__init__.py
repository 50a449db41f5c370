"""Every way in: HTTP (surface S in http, surface T in accounts) and the command line."""
