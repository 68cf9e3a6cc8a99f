using Ferry.Cluster.Rendering.Docker;
using Ferry.Cluster.Rendering.Output;
using Ferry.Cluster.Rendering.Plan;

namespace Ferry.Cluster.Rendering.Compose;

/// <summary>The compose file of one node.</summary>
/// <remarks>Without <c>version</c> and <c>name</c>: both docker-compose 1.27 and later and the compose plugin take it so.</remarks>
internal static class ComposeFile
{
    public static IEnumerable<RenderedFile> Of(DeploymentPlan plan, PlannedNode node)
    {
        var services = new YamlMap();
        PlannedProcess? before = null;
        foreach (var process in node.Processes)
        {
            services.Add(process.Name, Service(plan, process, before), process.Purpose);
            before = process;
        }
        var document = new YamlMap { { "services", services } };
        var volumes = new YamlMap();
        foreach (var name in node.Processes.SelectMany(process => process.Mounts).Where(mount => mount.HostPath is null).Select(mount => mount.Name).Distinct())
        {
            volumes.Add(name, new YamlMap { { "name", $"{plan.Cluster}-{name}" } });
        }
        document.AddUnlessEmpty("volumes", volumes, "Kept when the containers go; docker compose down --volumes deletes them.");
        yield return new RenderedFile($"{node.Name}/compose.yaml", YamlPrinter.Print(document, $"""
            Node {node.Name} ({node.Address}) of cluster {plan.Cluster}. Written by ferry render from ferry.yaml: change that file and render again.
            On {node.Address}, in this directory: docker compose up --detach
            """));
        foreach (var file in node.Processes.SelectMany(process => process.Files).DistinctBy(file => file.Name))
        {
            yield return new RenderedFile($"{node.Name}/{file.Name}", file.Content);
        }
    }

    private static YamlMap Service(DeploymentPlan plan, PlannedProcess process, PlannedProcess? before)
    {
        var service = new YamlMap
        {
            { "image", process.Image },
            { "container_name", DockerScripts.Container(plan, process) },
            { "network_mode", "host" },
            { "restart", "unless-stopped" },
            { "stop_grace_period", $"{(int)process.StopsWithin.TotalSeconds}s" },
        };
        if (before is not null)
        {
            var condition = Test(before) is null ? "service_started" : "service_healthy";
            service.Add("depends_on", new YamlMap { { before.Name, new YamlMap { { "condition", condition } } } });
        }
        AddHardware(service, process);
        if (process.MemoryBytes is { } bytes)
        {
            service.Add("mem_limit", $"{bytes >> 20}m");
        }
        service.Add("entrypoint", new YamlList(process.Program));
        var command = new YamlList();
        foreach (var argument in process.Arguments)
        {
            for (var i = 0; i < argument.Words.Count; i++)
            {
                command.Add(Literal(argument.Words[i]), i == 0 ? argument.Comment : null);
            }
        }
        service.Add("command", command);
        service.AddUnlessEmpty("environment", Environment(process));
        service.AddUnlessEmpty("volumes", Volumes(process));
        AddHealth(service, process);
        service.Add("logging", new YamlMap { { "driver", "json-file" }, { "options", new YamlMap { { "max-size", "100m" }, { "max-file", "3" } } } });
        return service;
    }

    private static void AddHardware(YamlMap service, PlannedProcess process)
    {
        var hardware = process.Hardware;
        if (hardware.Runtime is { } runtime) { service.Add("runtime", runtime); }
        if (hardware.SharesIpc) { service.Add("ipc", "host", hardware.Comments.Count > 0 ? string.Join('\n', hardware.Comments) : null); }
        service.AddUnlessEmpty("devices", new YamlList(hardware.Devices.Select(device => (YamlNode)$"{device}:{device}")));
        service.AddUnlessEmpty("group_add", new YamlList(hardware.Groups.Select(group => (YamlNode)group)));
        service.AddUnlessEmpty("cap_add", new YamlList(hardware.Capabilities.Select(capability => (YamlNode)capability)));
        if (process.IsFerry)
        {
            service.Add("cap_drop", new YamlList("ALL"));
            service.Add("read_only", true);
            service.Add("tmpfs", new YamlList("/tmp"));
        }
        service.AddUnlessEmpty("security_opt", new YamlList(hardware.SecurityOptions.Select(option => (YamlNode)option.Replace('=', ':')).Concat(process.IsFerry ? ["no-new-privileges:true"] : [])));
        if (hardware.LocksMemory)
        {
            service.Add("ulimits", new YamlMap { { "memlock", new YamlMap { { "soft", -1 }, { "hard", -1 } } } });
        }
    }

    private static YamlMap Environment(PlannedProcess process)
    {
        var environment = new YamlMap();
        foreach (var variable in process.Environment)
        {
            var value = variable.Secret is { } secret
                ? $"{Literal(variable.Text)}${{{secret.SourceVariable}:?{Message(secret)}}}{Literal(variable.Rest)}"
                : Literal(variable.Text);
            environment.Add(variable.Name, value, variable.Comment);
        }
        return environment;
    }

    /// <summary>What compose says when the variable is not there. No quotes and braces: compose would end the expression at them.</summary>
    private static string Message(PlannedSecret secret) =>
        $"export it before - {(secret.File is { } file ? $"its value stands in {file}" : secret.Purpose)}".Replace("}", "", StringComparison.Ordinal);

    private static YamlList Volumes(PlannedProcess process)
    {
        var volumes = new YamlList();
        foreach (var mount in process.Mounts)
        {
            var source = mount.HostVariable is { } variable ? $"${{{variable}:?export it before - the directory on this host with the model}}" : Literal(mount.HostPath ?? mount.Name);
            volumes.Add($"{source}:{mount.ContainerPath}{(mount.IsReadOnly ? ":ro" : "")}", mount.Comment);
        }
        foreach (var file in process.Files)
        {
            volumes.Add($"./{file.Name}:{file.ContainerPath}:ro");
        }
        return volumes;
    }

    /// <summary>vLLM's images have curl. Ferry's has no shell: its exchange is asked by its own command, and serve and route are asked from outside.</summary>
    private static YamlList? Test(PlannedProcess process) => process switch
    {
        { Kind: PlannedKind.Exchange } => new YamlList("CMD", "ferry", "cache", "stat", "--admin", $"127.0.0.1:{process.Health.Port}"),
        { IsFerry: false } => new YamlList("CMD-SHELL", $"curl --fail --silent --max-time 5 --output /dev/null http://{Host(process)}:{process.Health.Port}{process.Health.ReadyPath}"),
        _ => null,
    };

    private static void AddHealth(YamlMap service, PlannedProcess process)
    {
        if (Test(process) is { } test)
        {
            service.Add("healthcheck", new YamlMap
            {
                { "test", test },
                { "interval", "10s" },
                { "timeout", "10s" },
                { "retries", 6 },
                { "start_period", $"{(int)process.Health.StartsWithin.TotalSeconds}s" },
            });
        }
    }

    /// <summary>The address that the process listens on, as its own flag says.</summary>
    private static string Host(PlannedProcess process) =>
        process.Arguments.FirstOrDefault(argument => argument.Words[0] == "--host")?.Words[1] is { } host
            ? host.Contains(':', StringComparison.Ordinal) ? $"[{host}]" : host
            : "127.0.0.1";

    /// <summary>compose takes <c>$</c> for a variable unless it stands twice.</summary>
    private static string Literal(string text) => text.Replace("$", "$$", StringComparison.Ordinal);
}
