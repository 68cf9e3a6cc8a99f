namespace Ferry.TestKit.Lab;

/// <summary>What a program said, and how it ended.</summary>
public sealed record LabRun(int ExitCode, string Output, string Error);
