using Ferry.Engine.Generation;

namespace Ferry.Serving.Options;

/// <summary>One node of <c>ferry serve</c>, checked. Immutable.</summary>
public sealed record ServeOptions
{
    /// <summary>Directory in Hugging Face layout.</summary>
    public required string Model { get; init; }

    /// <summary>Names under which clients may ask for the model; the first is the one in answers.</summary>
    public required IReadOnlyList<string> ServedModelNames { get; init; }

    /// <summary>Address to listen on.</summary>
    public string Host { get; init; } = "0.0.0.0";

    /// <summary>0: any free port.</summary>
    public int Port { get; init; } = 8000;

    public required EngineOptions Engine { get; init; }

    /// <summary>Template file that replaces the model's own.</summary>
    public string? ChatTemplatePath { get; init; }

    /// <summary>False: vLLM's neutral sampling defaults instead of generation_config.json ("--generation-config vllm").</summary>
    public bool UseGenerationConfig { get; init; } = true;

    public ApiOptions Api { get; init; } = new();

    /// <summary>Null: this node exchanges no KV.</summary>
    public ExchangeSettings? Exchange { get; init; }
}
