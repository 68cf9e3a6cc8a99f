using System.Diagnostics;
using System.Runtime.CompilerServices;
using Ferry.Cache.Tiers.Disk;
using Ferry.TestKit.Disk;

namespace Ferry.IntegrationTests.Disk;

/// <summary>This assembly as a process that does nothing but put records.</summary>
internal static class DiskChild
{
    private const string Variable = "FERRY_TEST_DISK_CHILD";

    public static Process Start(DiskTierOptions options, int first)
    {
        var start = new ProcessStartInfo("dotnet", ["exec", typeof(DiskChild).Assembly.Location]) { RedirectStandardOutput = true };
        start.Environment[Variable] = $"{first}|{options.Sync}|{options.CapacityBytes}|{options.Path}";
        return Process.Start(start)!;
    }

    // Before the test runner's own entry point: a child has no other way in. What runs on other threads is code of another assembly, since this one's waits for the end of this.
    [ModuleInitializer]
    internal static void RunIfAsked()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { } asked)
        {
            var parts = asked.Split('|', 4);
            var options = new DiskTierOptions { Path = parts[3], CapacityBytes = long.Parse(parts[2]), Sync = Enum.Parse<DiskSyncPolicy>(parts[1]) };
            DiskPutLoop.RunAsync(options, int.Parse(parts[0]), Console.Out).GetAwaiter().GetResult();
            Environment.Exit(0);
        }
    }
}
