using System.Diagnostics;

namespace Ferry.Benchmarks.Fronts;

/// <summary>Garnet as a dotnet tool: where it is, or put beside the build output.</summary>
internal static class GarnetProgram
{
    private const string Version = "2.2.8";

    public static string Find(string[] args)
    {
        if (args.FirstOrDefault(argument => argument.StartsWith("garnet=", StringComparison.Ordinal)) is { } given)
        {
            return given["garnet=".Length..];
        }
        var folder = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../../../tools"));
        var program = Path.Combine(folder, "garnet-server");
        if (!File.Exists(program))
        {
            Console.Error.WriteLine($"installing Garnet {Version} into {folder}");
            using var install = Process.Start(new ProcessStartInfo("dotnet", ["tool", "install", "garnet-server", "--version", Version, "--tool-path", folder]) { RedirectStandardOutput = true });
            install?.WaitForExit();
        }
        return program;
    }
}
