namespace Ferry.Kv.Conversion;

/// <summary>A part of a sequence's KV: some layers of some tokens, and where they stand on both sides.</summary>
/// <param name="SourceLayer">First layer in the source, 0-based.</param>
/// <param name="TargetLayer">What it becomes in the target.</param>
/// <param name="SourceToken">Position of the first token in the source's block table.</param>
/// <param name="TargetToken">Its position in the target's.</param>
public readonly record struct PagedWindow(int SourceLayer, int TargetLayer, int Layers, int SourceToken, int TargetToken, int Tokens);
