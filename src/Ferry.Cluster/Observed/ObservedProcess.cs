using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Observed;

/// <summary>One process that would run (or a file of settings for one), as its files describe it.</summary>
internal sealed record ObservedProcess
{
    public required ProcessKind Kind { get; init; }

    /// <summary>Container, service or object name; else the file's.</summary>
    public required string Name { get; init; }

    /// <summary>The whole command, service or container.</summary>
    public required SourceSpan Span { get; init; }

    /// <summary>A short place to point at when the process as a whole is meant: the name or the first words of the command.</summary>
    public required SourceSpan HeadSpan { get; init; }

    /// <summary>The machine that it runs on, by the address that the files give it; null where they do not say.</summary>
    public string? Host { get; init; }

    /// <summary>Processes of one group are one cluster: files given together, or one of several set-ups that a page describes.</summary>
    public int Group { get; init; }

    public AcceleratorGuess Accelerator { get; init; } = AcceleratorGuess.None;

    public ProcessRole Role { get; init; }

    public ProcessEnvironment Environment { get; init; } = ProcessEnvironment.Empty;

    public ProcessArguments Arguments { get; init; } = ProcessArguments.Empty;

    /// <summary>The model as the engine was given it.</summary>
    public SourcedText? Model { get; init; }

    /// <summary>vLLM's; null for ferry serve, whose rules are its own.</summary>
    public KvTransferConfig? KvTransfer { get; init; }

    /// <summary>ferry serve's, which takes vLLM's flag.</summary>
    public KvTransferConfig? FerryTransfer { get; init; }

    public ContainerSettings? Container { get; init; }

    public KubernetesFacts? Kubernetes { get; init; }

    public LmCacheSettings LmCache { get; init; } = LmCacheSettings.Empty;

    /// <summary>vLLM on an accelerator or Ferry's engine: it holds KV.</summary>
    public bool IsEngine => Kind is ProcessKind.VllmServe or ProcessKind.FerryServe;

    /// <summary>Only settings, no process: an env file or LMCache YAML that nothing among the inputs refers to.</summary>
    public bool IsFragment { get; init; }

    /// <summary>Whether LMCache runs in this process and reads its settings; true for a file of settings alone, which says nothing else.</summary>
    public bool LoadsLmCache => IsFragment || KvTransfer?.LmCacheInProcess is not null;

    /// <summary>Tensor-parallel ranks; 1 when not set, null when not known.</summary>
    public int? TensorParallel => Arguments.Flag("--tensor-parallel-size", "-tp") is not { } flag ? 1 : (int?)flag.Value?.TryLong();

    /// <summary>The port of the HTTP server, the default of its kind when not set, null when not known.</summary>
    public int? Port => Arguments.Flag("--port") is { } flag ? (int?)flag.Value?.TryLong() : Kind == ProcessKind.VllmServe ? 8000 : null;
}
