namespace Ferry.Cluster.Containers;

/// <summary>What a program that ran on a node said.</summary>
/// <param name="ExitCode">127 when the program is not there, as a shell has it.</param>
/// <param name="Output">At most <see cref="OutputCharsMax"/> characters; the rest was read and dropped.</param>
public sealed record CommandResult(int ExitCode, string Output, string Error)
{
    /// <summary>Of what a probe asks for nothing is longer.</summary>
    public const int OutputCharsMax = 1 << 20;

    public const int NotFound = 127;

    public bool IsOk => ExitCode == 0;
}
