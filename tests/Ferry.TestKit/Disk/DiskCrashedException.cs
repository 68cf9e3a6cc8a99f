namespace Ferry.TestKit.Disk;

/// <summary>The power is gone: thrown by every call until the restart.</summary>
public sealed class DiskCrashedException() : IOException("The power is gone.");
