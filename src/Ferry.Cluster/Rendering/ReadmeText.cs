using System.Globalization;
using System.Text;
using Ferry.Cluster.Rendering.Kubernetes;
using Ferry.Cluster.Rendering.Plan;

namespace Ferry.Cluster.Rendering;

/// <summary>The page beside the artefacts: what they are, what must be there first, and in which order they start.</summary>
internal static class ReadmeText
{
    public static string Of(DeploymentPlan plan, RenderTarget target, IReadOnlyList<string> placeholders)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"""
            # Cluster {plan.Cluster}

            Written by `ferry render {target.ToString().ToLowerInvariant()}` from `ferry.yaml`: change that file and render again instead of editing these.

            {plan.Summary}


            """);
        if (plan.Warnings.Count > 0)
        {
            text.Append("## Know this first\n\n");
            foreach (var warning in plan.Warnings) { text.Append(CultureInfo.InvariantCulture, $"- {warning}\n"); }
            text.Append('\n');
        }
        text.Append("## Before the first start\n\n");
        if (placeholders.Count > 0)
        {
            text.Append(CultureInfo.InvariantCulture, $"- Replace in every file: {string.Join(", ", placeholders.Select(place => $"`{place}`"))}. Better: in `ferry.yaml`, and render again.\n");
        }
        if (target == RenderTarget.Kubernetes) { AppendKubernetes(text, plan); }
        else { AppendHosts(text, plan, target); }
        text.Append(CultureInfo.InvariantCulture, $"""

            ## Ask it

            ```bash
            {(target == RenderTarget.Kubernetes ? $"kubectl -n {KubernetesManifests.Namespace(plan)} port-forward service/router {Port(plan)}:{Port(plan)} &\ncurl -i http://127.0.0.1:{Port(plan)}" : $"curl -i {plan.Endpoint}")}/v1/completions -H 'Content-Type: application/json' -d '{Body(plan)}'
            ```

            `x-ferry-route` in the answer names the nodes and says whether KV was handed over.

            """);
        return text.ToString();
    }

    private static int Port(DeploymentPlan plan) => plan.Nodes[^1].Processes[0].Ports[0].Number;

    private static string Body(DeploymentPlan plan) => $$"""{"model":"{{plan.ModelName}}","prompt":"Once upon a time","max_tokens":16}""";

    private static void AppendHosts(StringBuilder text, DeploymentPlan plan, RenderTarget target)
    {
        text.Append("- Copy each directory to its machine. Images must be there or be pulled: ");
        text.Append(string.Join(", ", plan.Processes.Select(process => $"`{process.Image}`").Distinct())).Append(".\n");
        foreach (var secret in plan.Secrets)
        {
            text.Append(secret.File is { } file
                ? target == RenderTarget.Docker ? $"- `{file}` holds {secret.Variable}: {secret.Purpose}.\n" : $"- `export {secret.SourceVariable}=\"$(cat {file})\"`: {secret.Purpose}.\n"
                : $"- `export {secret.SourceVariable}=…`: {secret.Purpose}.\n");
        }
        foreach (var mount in plan.Processes.SelectMany(process => process.Mounts).Where(mount => mount.HostVariable is not null).DistinctBy(mount => mount.HostVariable))
        {
            text.Append(CultureInfo.InvariantCulture, $"- `export {mount.HostVariable}=/path`: {mount.Comment}.\n");
        }
        foreach (var mount in plan.Processes.SelectMany(process => process.Mounts).Where(mount => mount.FileBeside is not null).DistinctBy(mount => mount.FileBeside))
        {
            text.Append(CultureInfo.InvariantCulture, $"- Put `{mount.FileBeside}` into `router/`, {mount.Comment}.\n");
        }
        text.Append("\n## Start, in this order\n\n| machine | directory | runs |\n|---|---|---|\n");
        foreach (var node in plan.Nodes)
        {
            text.Append(CultureInfo.InvariantCulture, $"| {node.Address} | `{node.Name}` | {string.Join("; ", node.Processes.Select(process => $"`{process.Name}`, {process.Purpose}"))} |\n");
        }
        text.Append(target == RenderTarget.Docker
            ? "\n`./up.sh` starts a machine's containers and waits until each is well, `./status.sh` says how they are, `./down.sh` stops them.\n"
            : "\n`docker compose up --detach` in the directory starts, `docker compose ps` says how they are, `docker compose down` stops them.\n");
    }

    private static void AppendKubernetes(StringBuilder text, DeploymentPlan plan)
    {
        var space = KubernetesManifests.Namespace(plan);
        foreach (var command in plan.Nodes.Select(Placement.LabelCommandOf).OfType<string>())
        {
            text.Append(CultureInfo.InvariantCulture, $"- `{command}`\n");
        }
        text.Append(CultureInfo.InvariantCulture, $"- `kubectl create namespace {space}`\n");
        foreach (var secret in plan.Secrets.GroupBy(secret => secret.KubernetesSecret))
        {
            text.Append(CultureInfo.InvariantCulture, $"- Secret `{secret.Key}`, from variables or files of your own: `kubectl -n {space} create secret generic {secret.Key}{string.Concat(secret.Select(one => one.File is { } file ? $" --from-file={one.KubernetesKey}={file}" : $" --from-literal={one.KubernetesKey}=\"${one.SourceVariable}\""))}`\n");
            foreach (var one in secret) { text.Append(CultureInfo.InvariantCulture, $"  - `{one.KubernetesKey}`: {one.Purpose}\n"); }
        }
        foreach (var (name, key) in plan.Processes.SelectMany(process => process.Mounts).Select(mount => mount.SecretFile).OfType<(string, string)>().Distinct())
        {
            text.Append(CultureInfo.InvariantCulture, $"- The file of hashed API keys as key `{key}` of Secret `{name}`.\n");
        }
        foreach (var (_, key) in KubernetesManifests.BesideFiles(plan))
        {
            text.Append(CultureInfo.InvariantCulture, $"- Put `{key}` beside `kustomization.yaml`, from LMCache's sources of the image's version: examples/disagg_prefill.\n");
        }
        if (plan.Processes.SelectMany(process => process.Mounts).Any(mount => mount.HostVariable is not null))
        {
            text.Append(CultureInfo.InvariantCulture, $"- Put the model's files into the claim `{PodVolumes.ModelClaim}`: config.json, tokenizer.json, *.safetensors.\n");
        }
        text.Append("\n## Start\n\n```bash\nkubectl apply -k .\nkubectl -n ").Append(space).Append(" get pods --watch\n```\n");
    }
}
