using System.Globalization;
using System.Text;
using Ferry.Cluster.Rendering.Output;
using Ferry.Cluster.Rendering.Plan;
using Ferry.Cluster.Rendering.Planning;

namespace Ferry.Cluster.Rendering.Docker;

/// <summary>The three scripts of one node: <c>up.sh</c>, <c>down.sh</c>, <c>status.sh</c>.</summary>
internal static class DockerScripts
{
    private const string Start = """
        set -euo pipefail
        cd "$(dirname "$0")"

        for tool in docker curl; do
          command -v "$tool" >/dev/null || { echo "up: $tool is needed and not on PATH" >&2; exit 127; }
        done


        """;

    private const string Show = """
        set -euo pipefail

        unwell=0
        show() {
          local state health=unwell
          state=$(docker container inspect --format '{{.State.Status}} since {{.State.StartedAt}}, {{.RestartCount}} restarts' "$1" 2>/dev/null) || state='not there'
          if curl --fail --silent --max-time 5 --output /dev/null "$2"; then health=well; else unwell=1; fi
          printf '%-28s %-7s %s  %s\n' "$1" "$health" "$2" "$state"
        }


        """;

    private const string Functions = """
        # True when the container is not there yet. One that runs must be of these very settings.
        is_new() {
          local state
          state=$(docker container inspect --format '{{.State.Running}} {{index .Config.Labels "ferry.render"}}' "$1" 2>/dev/null) || return 0
          if [[ $state == "true $2" ]]; then
            echo "$1 runs already"
            return 1
          fi
          if [[ $state == true* ]]; then
            echo "up: $1 runs with other settings; stop it first: ./down.sh" >&2
            exit 1
          fi
          docker rm --force "$1" >/dev/null
        }

        # Waits for the first 200, as long as the container lives.
        await() {
          local name=$1 url=$2 deadline=$((SECONDS + $3)) state
          until curl --fail --silent --max-time 5 --output /dev/null "$url"; do
            state=$(docker container inspect --format '{{.State.Status}} {{.RestartCount}}' "$name")
            if [[ $state != "running "[0-2] ]] || ((SECONDS >= deadline)); then
              echo "up: $name is not well after $SECONDS s ($state); its last words:" >&2
              docker logs --tail 20 "$name" >&2
              exit 1
            fi
            sleep 1
          done
          echo "$name is ready: $url"
        }


        """;

    public static IEnumerable<RenderedFile> Of(DeploymentPlan plan, PlannedNode node)
    {
        yield return new RenderedFile($"{node.Name}/up.sh", Up(plan, node), IsExecutable: true);
        yield return new RenderedFile($"{node.Name}/down.sh", Down(plan, node), IsExecutable: true);
        yield return new RenderedFile($"{node.Name}/status.sh", Status(plan, node), IsExecutable: true);
        foreach (var file in node.Processes.SelectMany(process => process.Files).DistinctBy(file => file.Name))
        {
            yield return new RenderedFile($"{node.Name}/{file.Name}", file.Content);
        }
    }

    public static string Container(DeploymentPlan plan, PlannedProcess process) => $"{plan.Cluster}-{process.Name}";

    private static string Up(DeploymentPlan plan, PlannedNode node)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"""
            #!/usr/bin/env bash
            # Node {node.Name} ({node.Address}) of cluster {plan.Cluster}: starts what does not run yet, in order, and waits until each is well.
            # Written by ferry render from ferry.yaml: change that file and render again. Run this on {node.Address}.
            #   ./up.sh         start
            #   ./status.sh     what runs, and how it is
            #   ./down.sh       stop; with --volumes also delete what the containers keep


            """);
        text.Append(Start);
        text.Append(Needs(node));
        text.Append(Secrets(node));
        text.Append(Functions);
        foreach (var process in node.Processes)
        {
            text.Append(DockerRun.Print(process, Container(plan, process), plan.Cluster));
            text.Append(CultureInfo.InvariantCulture, $"await {Container(plan, process)} {ShellText.Quote(HealthUrl(node, process))} {(int)process.Health.StartsWithin.TotalSeconds}\n\n");
        }
        return text.ToString().TrimEnd('\n') + "\n";
    }

    /// <summary>What the description leaves open: placeholders, paths of this host, files that somebody else makes.</summary>
    private static string Needs(PlannedNode node)
    {
        var text = new StringBuilder();
        var mounts = node.Processes.SelectMany(process => process.Mounts).ToList();
        foreach (var mount in mounts.Where(mount => mount.HostVariable is not null).DistinctBy(mount => mount.HostVariable))
        {
            text.Append(CultureInfo.InvariantCulture, $": \"${{{mount.HostVariable}:?export it before: the directory on this host that holds {ShellText.Escape(mount.Comment)}}}\"\nexport {mount.HostVariable}\n");
        }
        foreach (var mount in mounts.Where(mount => mount.FileBeside is not null))
        {
            text.Append(CultureInfo.InvariantCulture, $"[[ -f $PWD/{mount.FileBeside} ]] || {{ echo \"up: put {mount.FileBeside} into $PWD, {mount.Comment}\" >&2; exit 2; }}\n");
        }
        var placeholders = Placeholders.Of(node.Processes.SelectMany(process => process.Arguments).SelectMany(argument => argument.Words)
            .Concat(node.Processes.SelectMany(process => process.Environment).SelectMany(variable => (string[])[variable.Text, variable.Rest]))
            .Concat(node.Processes.SelectMany(process => process.Files).Select(file => file.Content)).Concat(node.Processes.Select(process => process.Image)).Append(node.Address));
        if (placeholders.Count > 0)
        {
            text.Append($$"""
                for place in {{string.Join(' ', placeholders.Select(place => $"'{place}'"))}}; do
                  [[ $place != '<'* ]] || { echo "up: replace $place in every file first, for example: sed -i 's/$place/VALUE/g' ./*" >&2; exit 2; }
                done

                """);
        }
        return text.Length > 0 ? text.Append('\n').ToString() : "";
    }

    /// <summary>References only: the script asks for the variables, or reads the files, when it runs.</summary>
    private static string Secrets(PlannedNode node)
    {
        var secrets = node.Processes.SelectMany(process => process.Secrets).DistinctBy(secret => secret.Variable).ToList();
        if (secrets.Count == 0)
        {
            return "";
        }
        var text = new StringBuilder("# Secrets: only where they are; docker gets them by name, so that no value stands on a command line.\n");
        foreach (var secret in secrets)
        {
            text.Append(CultureInfo.InvariantCulture, $"# {secret.Variable}: {secret.Purpose}\n");
            text.Append(secret.File is { } file
                ? $"{secret.Variable}=$(<{ShellText.Quote(file)})\n"
                : secret.SourceVariable == secret.Variable
                    ? $": \"${{{secret.Variable}:?export it before: {ShellText.Escape(secret.Purpose)}}}\"\n"
                    : $"{secret.Variable}=\"${{{secret.SourceVariable}:?export it before: {ShellText.Escape(secret.Purpose)}}}\"\n");
            text.Append(CultureInfo.InvariantCulture, $"export {secret.Variable}\n");
        }
        return text.Append('\n').ToString();
    }

    private static string Down(DeploymentPlan plan, PlannedNode node)
    {
        var volumes = node.Processes.SelectMany(process => process.Mounts).Where(mount => mount.HostPath is null)
            .Select(mount => DockerRun.VolumeName(plan.Cluster, mount)).Distinct().ToList();
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"""
            #!/usr/bin/env bash
            # Node {node.Name} ({node.Address}) of cluster {plan.Cluster}: stops and removes its containers, the last started first.
            # With --volumes what they keep (cached KV, downloaded weights) is deleted, too. Written by ferry render.
            set -euo pipefail


            """);
        foreach (var process in node.Processes.Reverse())
        {
            var container = Container(plan, process);
            text.Append(CultureInfo.InvariantCulture, $"""
                if docker container inspect {container} >/dev/null 2>&1; then
                  docker stop -t {(int)process.StopsWithin.TotalSeconds} {container} >/dev/null
                  docker rm {container} >/dev/null
                  echo "{container} is stopped"
                fi

                """);
        }
        if (volumes.Count > 0)
        {
            text.Append($$"""

                if [[ ${1:-} == --volumes ]]; then
                  docker volume rm --force {{string.Join(' ', volumes)}}
                fi

                """);
        }
        return text.ToString();
    }

    private static string Status(DeploymentPlan plan, PlannedNode node)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"""
            #!/usr/bin/env bash
            # Node {node.Name} ({node.Address}) of cluster {plan.Cluster}: each container's state and health. Exit code 0 when all are well. Written by ferry render.

            """);
        text.Append(Show);
        foreach (var process in node.Processes)
        {
            text.Append(CultureInfo.InvariantCulture, $"show {Container(plan, process)} {ShellText.Quote(HealthUrl(node, process))}\n");
        }
        return text.Append("exit \"$unwell\"\n").ToString();
    }

    private static string HealthUrl(PlannedNode node, PlannedProcess process) => $"http://{PlanContext.Endpoint(process.Health.Host ?? node.Address, process.Health.Port)}{process.Health.ReadyPath}";
}
