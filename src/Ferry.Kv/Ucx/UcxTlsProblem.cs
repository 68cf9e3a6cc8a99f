namespace Ferry.Kv.Ucx;

/// <summary>Something wrong with a UCX_TLS value, for a person.</summary>
/// <param name="Entry">The name at fault; empty when it is the whole list.</param>
/// <param name="Text">What is wrong and the way out: one or two sentences.</param>
/// <param name="IsError">False for what works, though perhaps not as meant.</param>
public sealed record UcxTlsProblem(UcxTlsProblemKind Kind, string Entry, string Text, bool IsError);
