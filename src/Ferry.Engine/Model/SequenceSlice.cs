namespace Ferry.Engine.Model;

/// <summary>Tokens of one sequence that a step computes.</summary>
/// <param name="Tokens">Token ids, at least one.</param>
/// <param name="FirstPosition">Position of the first of them in the sequence; the pool holds K and V of all positions before it.</param>
/// <param name="BlockTable">Block indices in the pool, in order of position, enough for all tokens.</param>
/// <param name="WantsLogits">Whether the logits of the last token are needed.</param>
public readonly record struct SequenceSlice(
    ReadOnlyMemory<int> Tokens, int FirstPosition, ReadOnlyMemory<int> BlockTable, bool WantsLogits);
