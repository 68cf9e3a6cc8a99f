using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Ferry.Benchmarks.Engine;

/// <summary>llama.cpp in a process of its own (npm's node-llama-cpp with its prebuilt binary), asked one measurement at a time.</summary>
internal sealed class LlamaSide : IDisposable
{
    private const string Packages = "node-llama-cpp@3.22.1 @node-llama-cpp/linux-x64@3.22.1";

    private readonly Process _process;

    private LlamaSide(Process process) => _process = process;

    /// <summary>Installs what is needed into <paramref name="directory"/> and loads the model; null, with the reason printed, if that is not possible here.</summary>
    public static LlamaSide? TryStart(string directory, string script, string gguf, int threads, int contextTokens)
    {
        Directory.CreateDirectory(directory);
        if (!Directory.Exists(Path.Combine(directory, "node_modules", "node-llama-cpp")))
        {
            File.WriteAllText(Path.Combine(directory, "package.json"), """{"private":true,"type":"module"}""");
            using var install = Start("npm", $"install --no-audit --no-fund --ignore-scripts --omit=optional {Packages}", directory);
            string? output = install?.StandardOutput.ReadToEnd();
            install?.WaitForExit();
            if (install is not { ExitCode: 0 })
            {
                Console.Error.WriteLine($"llama.cpp left out: npm could not install {Packages}. {output}");
                return null;
            }
        }
        File.Copy(script, Path.Combine(directory, "llama.mjs"), overwrite: true);
        string arguments = string.Create(CultureInfo.InvariantCulture, $"llama.mjs \"{Path.GetFullPath(gguf)}\" {threads} {contextTokens}");
        var process = Start("node", arguments, directory);
        if (process?.StandardOutput.ReadLine() is null)
        {
            Console.Error.WriteLine("llama.cpp left out: node did not start it.");
            return null;
        }
        return new LlamaSide(process);
    }

    public Rate Prefill(int tokens) => Ask($"prefill {tokens}");

    public Rate Decode(int steps) => Ask($"decode {steps}");

    public void Dispose()
    {
        _process.StandardInput.WriteLine("quit");
        _process.WaitForExit(TimeSpan.FromSeconds(20));
        _process.Dispose();
    }

    private Rate Ask(string command)
    {
        _process.StandardInput.WriteLine(command);
        string line = _process.StandardOutput.ReadLine() ?? throw new InvalidOperationException($"llama.cpp ended at \"{command}\".");
        using var answer = JsonDocument.Parse(line);
        return new Rate(answer.RootElement.GetProperty("wall").GetDouble(), answer.RootElement.GetProperty("cpu").GetDouble());
    }

    private static Process? Start(string file, string arguments, string directory)
    {
        try
        {
            return Process.Start(new ProcessStartInfo(file, arguments)
            {
                WorkingDirectory = directory,
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
            });
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }
}
