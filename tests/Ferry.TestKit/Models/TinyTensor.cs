namespace Ferry.TestKit.Models;

/// <param name="Values">As floats, already rounded to the format they are stored in.</param>
public sealed record TinyTensor(string Name, IReadOnlyList<int> Shape, float[] Values);
