namespace Ferry.Serving.Options;

public enum FindingKind
{
    /// <summary>Takes effect as given.</summary>
    Honoured,

    /// <summary>Accepted, but has no effect or another one than in vLLM or LMCache.</summary>
    Warning,

    /// <summary>The node does not start.</summary>
    Error,
}
