namespace Ferry.Transfer.Host;

/// <summary>Something that keeps transfers from working, or from being fast.</summary>
/// <param name="Topic">Which part of the report it is about.</param>
/// <param name="IsError">False for what only makes things slower.</param>
/// <param name="Text">What is so.</param>
/// <param name="Fix">What to do: a command, a setting, a flag of the container.</param>
public sealed record HostProblem(string Topic, bool IsError, string Text, string Fix);
