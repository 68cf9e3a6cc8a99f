namespace Ferry.Cluster.Spec;

/// <summary>One machine of a pool.</summary>
public sealed record NodeSpec
{
    [SpecKey("name", "Name of the node, part of the names of its containers.", Pattern = SpecText.NamePattern, PatternText = SpecText.NameText, Example = "prefill-0")]
    public required string Name { get; init; }

    [SpecKey("address", "Host name or IP that the other nodes reach it by.", Pattern = SpecText.HostPattern, PatternText = SpecText.HostText, Example = "10.0.0.11")]
    public required string Address { get; init; }

    [SpecKey("port", "Port of the OpenAI API.", Minimum = 1, Maximum = 65_535, DefaultText = "the pool's")]
    public int? Port { get; init; }

    [SpecKey("devices", "Accelerators that the engine sees, by index.", MinimumItems = 1, MaximumItems = 64, Minimum = 0, Maximum = 1023, DefaultText = "the pool's")]
    public IReadOnlyList<int>? Devices { get; init; }

    [SpecKey("memory", "RAM of the machine, for the capacity checks.", Unit = SpecUnit.Bytes, Minimum = 1 << 20, Maximum = 1L << 50)]
    public long? MemoryBytes { get; init; }

    [SpecKey("docker", "Where its container engine answers, for ferry verify: unix:///var/run/docker.sock or ssh://user@host.", Pattern = @"(unix|ssh|tcp)://[^\s'""$`\\]+", PatternText = "unix://PATH, ssh://[USER@]HOST[:PORT] or tcp://HOST:PORT")]
    public string? Docker { get; init; }

    [SpecKey("labels", "Node labels that Kubernetes selects this machine by.", MaximumItems = 32)]
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();
}
