"""How people prove who they are: sessions and their ends, second factors, passkeys, an identity provider.

The pages here check a proof and say what comes next. How many wrong proofs are taken is decided above,
where their addresses are (`interview_platform.web.sign_in`).
"""
