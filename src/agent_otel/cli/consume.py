"""``agent-otel consume``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from agent_otel.cli.console import print_json_line
from agent_otel.cli.options import setting_options
from agent_otel.cli.serve import chosen_settings, config_option, service
from agent_otel.errors import MissingExtra
from agent_otel.service.arrival import arrival
from agent_otel.service.settings import ConsumerSettings

if TYPE_CHECKING:
    from agent_otel.service.logs import Rarely
    from agent_otel.service.metrics import ServiceMetrics
    from agent_otel.service.serve import Listening, Source
    from agent_otel.store.base import Store


@click.command
@setting_options(ConsumerSettings)
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print where it listens as one line of JSON.")
def consume(*, config: Path | None, as_json: bool, **given: Any) -> None:
    """Read what collectors write to Kafka, keep it, and fold it into run records, until SIGTERM or Ctrl-C."""
    chosen = chosen_settings(ConsumerSettings, config, given)
    run = service()
    try:
        from agent_otel.service.kafka import KafkaSource  # noqa: PLC0415 - its library may be absent
    except ModuleNotFoundError as exc:
        if exc.name is None or exc.name.partition(".")[0] != "confluent_kafka":
            raise
        what = "Reading from Kafka"
        raise MissingExtra(what, "confluent-kafka", extra="kafka") from exc

    def announce(listening: Listening) -> None:
        if as_json:
            print_json_line(listening)
        else:
            click.echo(f"agent-otel: reading {', '.join(chosen.topics)} of {chosen.kafka}; records in {listening.db}")

    arrive = arrival(chosen)

    def source(store: Store, metrics: ServiceMetrics, rarely: Rarely) -> Source:
        return KafkaSource(
            chosen,
            put_all=lambda batches: store.put_all([arrive(items) for items in batches]),
            metrics=metrics,
            rarely=rarely,
        )

    run(chosen, announce=announce, source=source)
