"""The wire formats of Amazon Bedrock: Converse for every model, and Anthropic's own messages for Claude.

Converse streams binary frames (`frames`), and so does InvokeModel, whose frames hold Anthropic's events (`claude`).
Facts are from the service's own model (botocore, bedrock-runtime 2023-09-30) and from recorded exchanges. What differs
between vendors behind Converse goes into `additionalModelRequestFields` and stands in `vendors`.
"""
