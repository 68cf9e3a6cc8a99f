namespace Ferry.Engine.Kernels;

/// <summary>Consecutive tokens of one sequence that a pass computes.</summary>
/// <param name="FirstRow">Row of the pass where they start.</param>
/// <param name="RowCount">Tokens.</param>
/// <param name="FirstPosition">Position of the first in the sequence.</param>
/// <param name="BlockTable">The sequence's blocks, from position 0.</param>
internal readonly record struct RowSpan(int FirstRow, int RowCount, int FirstPosition, ReadOnlyMemory<int> BlockTable);
