"""The contract with the outside: topics, events in, messages out. Knows no ledger and no store.

=============  ==========================================================================
``names``      every topic: name, partitions, retention, clean-up
``subject``    a person's identifiers, masked, and how they are normalised
``events``     the kinds of event, and what an accepted one says
``data``       what the ``data`` of each kind must hold
``reading``    a Kafka message in, an :class:`~topics.events.Event` or a rejection out
``rejections`` why a message was rejected
``messages``   what every message out holds
``writing``    messages out, as bytes, and their keys
``publishing`` an upstream event as a Kafka message, in either CloudEvents mode
``schemas``    JSON Schemas of all of these
``admin``      create, list and compare topics on a broker
=============  ==========================================================================
"""
