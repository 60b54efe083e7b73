"""`python -m tests.drill [RUNBOOK…]`: the drills, one after another. Exit code 1 says that one did not hold."""

import asyncio
import logging
import shutil
import sys
import tempfile
import time
import traceback
from contextlib import ExitStack
from pathlib import Path

import click

from tests.drill import tools
from tests.drill.scenes import SCENES, Scene
from tests.drill.stage import stage
from tests.kafka.cluster import KafkaCluster, start_cluster


@click.command()
@click.argument("runbooks", nargs=-1, type=click.Choice([scene.page for scene in SCENES]), metavar="[RUNBOOK]...")
@click.option("--keep", is_flag=True, help="Keep the logs of workers and Prometheus.")
def main(runbooks: tuple[str, ...], *, keep: bool) -> None:
    """Provoke what RUNBOOKs (default: all) are about, see the alert, do as the runbook says, see it end."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # the drills' own clients see the same faults
    prometheus = shutil.which("prometheus")
    if prometheus is None:
        raise click.ClickException("no prometheus on PATH: install it (Debian: apt-get install prometheus)")
    chosen = [scene for scene in SCENES if not runbooks or scene.page in runbooks]
    directory = Path(tempfile.mkdtemp(prefix="fenliu-drill-"))
    failed, began = [], time.monotonic()
    with ExitStack() as ends:
        programs = tools.make(directory / "bin")
        clusters: dict[int, KafkaCluster] = {}
        for scene in chosen:
            if scene.brokers not in clusters:
                clusters[scene.brokers] = ends.enter_context(start_cluster(scene.brokers))
            click.echo(f"{scene.page}: {scene.alert}")
            if not asyncio.run(_hold(scene, clusters[scene.brokers], directory / scene.page, programs, prometheus)):
                failed.append(scene.page)
    minutes = (time.monotonic() - began) / 60
    click.echo(f"{len(chosen) - len(failed)} of {len(chosen)} drills held, in {minutes:.0f} minutes")
    if keep or failed:
        click.echo(f"logs: {directory}", err=True)
    if failed:
        click.echo(f"did not hold: {', '.join(failed)}", err=True)
        sys.exit(1)


async def _hold(scene: Scene, cluster: KafkaCluster, place: Path, programs: Path, prometheus: str) -> bool:
    """Whether a drill held; what was wrong is told."""
    try:
        with stage(scene.alert, scene.severity, cluster.bootstrap_servers, place, programs, prometheus) as on_stage:
            await scene.play(on_stage, cluster)
            await on_stage.nothing_lost()
            return all(ran.right for ran in on_stage.ran)
    except Exception:  # noqa: BLE001  whatever it is, it is told, and the next drill has its turn
        click.echo(traceback.format_exc(), err=True)
        return False


if __name__ == "__main__":
    main()
