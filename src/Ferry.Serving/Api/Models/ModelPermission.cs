namespace Ferry.Serving.Api.Models;

/// <summary>The constant that vLLM answers; old clients read it.</summary>
internal sealed record ModelPermission(string Id, long Created)
{
    public string Object { get; } = "model_permission";

    public bool AllowCreateEngine { get; }

    public bool AllowSampling { get; } = true;

    public bool AllowLogprobs { get; } = true;

    public bool AllowSearchIndices { get; }

    public bool AllowView { get; } = true;

    public bool AllowFineTuning { get; }

    public string Organization { get; } = "*";

    public string? Group { get; }

    public bool IsBlocking { get; }
}
