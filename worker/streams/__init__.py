"""The thin edges to Kafka: Faust where events come in, aiokafka where batches go out."""
