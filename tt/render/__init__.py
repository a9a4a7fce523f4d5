"""Reports as text for people and as JSON for programs; it knows neither adapters nor use cases."""
