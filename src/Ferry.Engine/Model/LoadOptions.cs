namespace Ferry.Engine.Model;

public sealed record LoadOptions
{
    /// <summary>Threads that pack the weights; null: one a core.</summary>
    public int? Threads { get; init; }
}
