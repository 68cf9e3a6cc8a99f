namespace Ferry.Cluster.Reading;

/// <summary>Where something stands in a file. Lines and columns from 1.</summary>
/// <param name="Line">Of the key.</param>
/// <param name="ValueLine">Of its value.</param>
public readonly record struct SpecPlace(int Line, int Column, int ValueLine, int ValueColumn);
