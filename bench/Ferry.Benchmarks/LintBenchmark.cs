using System.Diagnostics;
using System.Text;
using Ferry.Cluster.Lint;
using Ferry.Cluster.Sources;

namespace Ferry.Benchmarks;

/// <summary>How long 2,000 lines take to lint: by the command as a user types it, the first time in a process with all compilation, and afterwards.</summary>
internal static class LintBenchmark
{
    private const int Lines = 2000;
    private const int Rounds = 9;
    private const int CommandRounds = 10;

    public static void Run(string[] arguments)
    {
        (string Name, string Text)[] inputs = [("nodes.sh", Script()), ("nodes.yaml", Manifests()), ("guide.md", $"# Guide\n\n```bash\n{Script()}```\n")];
        if (arguments is ["cold", var name])
        {
            Measure(inputs.Single(input => input.Name == name), 1);
            return;
        }
        foreach (var input in inputs)
        {
            // The first run in a process compiles the readers and the rules: a process of its own measures it.
            using var process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, [Environment.GetCommandLineArgs()[0], "lint", "cold", input.Name]))!;
            process.WaitForExit();
            Measure(input, Rounds);
            MeasureCommand(input);
        }
    }

    /// <summary>The command that <c>./ferry</c> runs, in turn with its start alone.</summary>
    private static void MeasureCommand((string Name, string Text) input)
    {
        var app = Path.GetFullPath("ferry");
        if (!File.Exists(Path.Combine("artifacts", "ferry", "ferry.dll")))
        {
            Console.WriteLine("./ferry has not run yet: run it once, and this in the same directory, to measure the command.");
            return;
        }
        var directory = Directory.CreateTempSubdirectory("ferry-lint-");
        var file = Path.Combine(directory.FullName, input.Name);
        File.WriteAllText(file, input.Text);
        var (alone, json, whole) = (new List<double>(), new List<double>(), new List<double>());
        for (var round = 0; round < CommandRounds; round++)
        {
            alone.Add(Run(app, "--version"));
            json.Add(Run(app, "lint", "--format", "json", file) - alone[^1]);
            whole.Add(Run(app, "lint", file) - alone[^1]);
        }
        directory.Delete(recursive: true);
        foreach (var times in new[] { alone, json, whole })
        {
            times.Sort();
        }
        Console.WriteLine($"{input.Name}: ./ferry lint after the start, median of {CommandRounds}: as text {Median(whole):0} ms ({whole[0]:0}–{whole[^1]:0}), "
            + $"as JSON {Median(json):0} ms ({json[0]:0}–{json[^1]:0}); the start alone, ./ferry --version: {Median(alone):0} ms");
    }

    private static double Run(string app, params string[] arguments)
    {
        var start = Stopwatch.GetTimestamp();
        using var process = Process.Start(new ProcessStartInfo(app, arguments) { RedirectStandardOutput = true })!;
        process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    private static double Median(List<double> sorted) => (sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2;

    private static void Measure((string Name, string Text) input, int rounds)
    {
        var (milliseconds, processor) = (new List<double>(), new List<double>());
        var findings = 0;
        for (var round = 0; round < rounds; round++)
        {
            var (start, cpu) = (Stopwatch.GetTimestamp(), ThreadCpuClock.Now());
            var report = Linter.Run([new SourceFile(input.Name, input.Text)], LintOptions.Default);
            milliseconds.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            processor.Add((ThreadCpuClock.Now() - cpu).TotalMilliseconds);
            findings = report.Findings.Count;
        }
        milliseconds.Sort();
        processor.Sort();
        Console.WriteLine($"{input.Name}: {input.Text.Count(c => c == '\n')} lines, {findings} findings, " + (rounds == 1
            ? $"first run in a process {milliseconds[0]:0} ms, {processor[0]:0} ms of the thread's processor time"
            : $"median of {rounds} {milliseconds[rounds / 2]:0.0} ms ({milliseconds[0]:0.0}–{milliseconds[^1]:0.0}), {processor[rounds / 2]:0.0} ms of processor time"));
    }

    /// <summary>Prefill and decode nodes in turn, with the mistakes of a usual guide; every one pairs with every other.</summary>
    private static string Script()
    {
        var text = new StringBuilder("#!/bin/bash\n");
        for (var (node, lines) = (0, 1); lines < Lines; node++)
        {
            var isPrefill = node % 2 == 0;
            var part = $$"""
                docker run -d \
                  --name {{(isPrefill ? "prefill" : "decode")}}-{{node}} \
                  {{(isPrefill ? "--device=/dev/kfd --device=/dev/dri" : "--runtime=habana")}} \
                  --net=host --ipc=host \
                  # transport
                  -e UCX_TLS=rc,{{(isPrefill ? "rocm" : "gaudi")}},sm,self \
                  -e VLLM_NIXL_SIDE_CHANNEL_HOST=10.0.0.{{node}} \
                  -e LMCACHE_LOCAL_CPU=True \
                  -e LMCACHE_MAX_LOCAL_CPU_SIZE=20.0 \
                  -e LMCACHE_REMOTE_URL=s3://s3.ceph.example/nixl/ \
                  -e LMCACHE_S3_ENDPOINT_URL=http://s3.ceph.example \
                  -e LMCACHE_CHUNK_SIZE=256 \
                  vllm-node:1 \
                  vllm serve meta-llama/Llama-3.1-70B-Instruct \
                    --tensor-parallel-size 4 \
                    --max-num-seqs 512 \
                    --max-model-len 8192 \
                    --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"{{(isPrefill ? "kv_producer" : "kv_consumer")}}","kv_buffer_device":"cpu"}' \
                    --port {{8000 + node}}

                """.ReplaceLineEndings("\n");
            text.Append(part);
            lines += part.Count(c => c == '\n');
        }
        return text.ToString();
    }

    private static string Manifests()
    {
        var text = new StringBuilder();
        for (var (node, lines) = (0, 0); lines < Lines; node++)
        {
            var isPrefill = node % 2 == 0;
            var part = $$"""
                ---
                apiVersion: apps/v1
                kind: Deployment
                metadata:
                  name: {{(isPrefill ? "prefill" : "decode")}}-{{node}}
                spec:
                  replicas: 1
                  template:
                    metadata:
                      labels:
                        app: node-{{node}}
                    spec:
                      hostNetwork: true
                      containers:
                        - name: vllm
                          image: vllm-node:1
                          command: ["vllm", "serve", "meta-llama/Llama-3.1-70B-Instruct"]
                          args:
                            - --tensor-parallel-size=4
                            - --port={{8000 + node}}
                            - --kv-transfer-config={"kv_connector":"LMCacheConnectorV1","kv_role":"kv_both"}
                          env:
                            - name: PYTHONHASHSEED
                              value: "0"
                            - name: LMCACHE_REMOTE_URL
                              value: redis://store:6379
                            - name: LMCACHE_MAX_LOCAL_CPU_SIZE
                              value: "20"
                          resources:
                            limits:
                              {{(isPrefill ? "amd.com/gpu" : "habana.ai/gaudi")}}: "4"

                """.ReplaceLineEndings("\n");
            text.Append(part);
            lines += part.Count(c => c == '\n');
        }
        return text.ToString();
    }
}
