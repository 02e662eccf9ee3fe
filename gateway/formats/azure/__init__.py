"""The wire format of Azure OpenAI: OpenAI's, with a key of its own kind, and deployments in the place of models.

Two shapes of the API: `…/openai/v1`, where paths are OpenAI's and the deployment is the `model`; and the older one with
an API version, where each deployment has a path of its own. A version in the endpoint's quirks (`api-version=DATE`)
says that it is the older one; the base URL ends in `/openai` then. Source: Microsoft, "Azure OpenAI API version
lifecycle", and OpenAI's SDK for Azure.
"""
