using System.Globalization;
using System.Text;
using Ferry.Cluster.Rendering.Output;
using Ferry.Cluster.Rendering.Plan;

namespace Ferry.Cluster.Rendering.Docker;

/// <summary>One <c>docker run</c>: what is set and why in comments above it, then the command in plain continuation lines.</summary>
/// <remarks>No comment stands between continued lines: bash would end the command there and take the rest for commands of their own.</remarks>
internal static class DockerRun
{
    /// <summary>Label by which a script recognises a container of its own settings.</summary>
    public const string HashLabel = "ferry.render";

    public static string Print(PlannedProcess process, string container, string cluster)
    {
        var command = Command(process, container, cluster);
        var hash = ContentHash.Of(string.Join('\n', [.. command, .. process.Files.Select(file => file.Content)]));
        var text = new StringBuilder(Comments(process));
        foreach (var variable in process.Environment.Where(variable => variable is { Secret: not null, IsSecretAlone: false }))
        {
            text.Append(CultureInfo.InvariantCulture, $"export {variable.Name}=\"{ShellText.Escape(variable.Text)}${{{variable.Secret!.Variable}}}{ShellText.Escape(variable.Rest)}\"\n");
        }
        text.Append(CultureInfo.InvariantCulture, $"if is_new {container} {hash}; then\n");
        text.Append("  docker run --detach \\\n");
        text.Append(CultureInfo.InvariantCulture, $"    --label {HashLabel}={hash} \\\n");
        for (var i = 0; i < command.Count; i++)
        {
            text.Append("    ").Append(command[i]).Append(i + 1 < command.Count ? " \\\n" : " >/dev/null\n");
        }
        text.Append("fi\n");
        return text.ToString();
    }

    private static string Comments(PlannedProcess process)
    {
        var text = new StringBuilder($"# ---- {process.Name}: {process.Purpose}\n");
        foreach (var comment in process.Hardware.Comments)
        {
            text.Append(CultureInfo.InvariantCulture, $"#   {comment}\n");
        }
        foreach (var mount in process.Mounts)
        {
            text.Append(CultureInfo.InvariantCulture, $"#   {mount.ContainerPath}: {mount.Comment}\n");
        }
        foreach (var argument in process.Arguments.Where(argument => argument.Comment is not null))
        {
            text.Append(CultureInfo.InvariantCulture, $"#   {argument.Words[0]}: {argument.Comment}\n");
        }
        foreach (var variable in process.Environment)
        {
            text.Append(CultureInfo.InvariantCulture, $"#   {variable.Name}: {variable.Comment}\n");
        }
        return text.ToString();
    }

    private static List<string> Command(PlannedProcess process, string container, string cluster)
    {
        var lines = new List<string> { $"--name {container}", "--network host", "--restart unless-stopped", "--log-opt max-size=100m --log-opt max-file=3" };
        lines.AddRange(Hardware(process.Hardware));
        if (process.IsFerry)
        {
            lines.Add("--read-only --cap-drop ALL --security-opt no-new-privileges --tmpfs /tmp");
        }
        if (process.MemoryBytes is { } bytes)
        {
            lines.Add($"--memory {bytes >> 20}m");
        }
        lines.Add($"--stop-timeout {(int)process.StopsWithin.TotalSeconds}");
        lines.AddRange(process.Mounts.Select(mount => $"--volume {Volume(cluster, mount)}"));
        lines.AddRange(process.Files.Select(file => $"--volume \"$PWD/{file.Name}:{file.ContainerPath}:ro\""));
        lines.AddRange(process.Environment.Select(variable => variable.Secret is null
            ? $"--env {variable.Name}={ShellText.Quote(variable.Text)}"
            : $"--env {variable.Name}"));
        lines.Add($"--entrypoint {process.Program}");
        lines.Add(ShellText.Quote(process.Image));
        lines.AddRange(process.Arguments.Select(argument => string.Join(' ', argument.Words.Select(ShellText.Quote))));
        return lines;
    }

    private static string Volume(string cluster, PlannedMount mount)
    {
        var rest = $":{mount.ContainerPath}{(mount.IsReadOnly ? ":ro" : "")}";
        return mount switch
        {
            { HostVariable: { } variable } => $"\"${{{variable}}}{rest}\"",
            { FileBeside: { } file } => $"\"$PWD/{file}{rest}\"",
            { HostPath: { } path } => ShellText.Quote(path + rest),
            _ => VolumeName(cluster, mount) + rest,
        };
    }

    /// <summary>A named volume belongs to its cluster: two clusters on one host share nothing.</summary>
    public static string VolumeName(string cluster, PlannedMount mount) => $"{cluster}-{mount.Name}";

    private static IEnumerable<string> Hardware(PlannedHardware hardware)
    {
        if (hardware.Runtime is { } runtime)
        {
            yield return $"--runtime {runtime}";
        }
        if (hardware.SharesIpc)
        {
            yield return "--ipc host";
        }
        foreach (var device in hardware.Devices)
        {
            yield return $"--device {device}";
        }
        foreach (var group in hardware.Groups)
        {
            yield return $"--group-add {group}";
        }
        foreach (var capability in hardware.Capabilities)
        {
            yield return $"--cap-add {capability}";
        }
        foreach (var option in hardware.SecurityOptions)
        {
            yield return $"--security-opt {option}";
        }
        if (hardware.LocksMemory)
        {
            yield return "--ulimit memlock=-1:-1";
        }
    }
}
