namespace Ferry.Engine.Model;

/// <summary>K and V of one layer are in the pool for some tokens of a slice; those of the slice's earlier tokens are too, and so are its earlier layers.</summary>
/// <param name="SliceIndex">Of the step's slices.</param>
/// <param name="FirstPosition">Position of the first of the tokens in the sequence.</param>
/// <param name="EndPosition">Position behind the last of them.</param>
public readonly record struct LayerProgress(int Layer, int SliceIndex, int FirstPosition, int EndPosition);
