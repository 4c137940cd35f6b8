"""The assistant's tools: what a model may do on behalf of a user.

A tool is a function of the caller and its arguments (`args`), declared with `reads` or `proposes`. A tool that reads
returns plain data (`Result`): rows with ids and the address of each record's page. Long lists are cut; where a result
has a `count`, it is of all. A tool that writes returns a draft and has written nothing: `commands.carry_out` does
that when the user has approved the card.

Every tool raises `DomainError`, whose sentence the model passes on: `NotFound` if a name fits nothing in the caller's
ground, `Unclear` (with candidates) if it fits several rows, and what the services and selectors raise. Rights are
those of the caller's user, looked up at each call.
"""
