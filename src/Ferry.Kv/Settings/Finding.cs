namespace Ferry.Kv.Settings;

/// <summary>What became of one setting.</summary>
/// <param name="Name">The flag, environment name or key, as documented.</param>
/// <param name="Value">As given; "***" for secrets.</param>
/// <param name="Text">Error: what is wrong and the way out. Warning: what happens instead. Honoured: what it means here, may be empty.</param>
/// <param name="Place">Where it was read, as <c>file:line:column</c>; empty when the name says it.</param>
public sealed record Finding(FindingKind Kind, string Name, string Value, string Text, string Place = "");
