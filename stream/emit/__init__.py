"""What leaves for Kafka: bonuses in transactions, records turned away, and the scan that finds bonuses again."""
