// The main program of every benchmark: rounds that are interleaved, so that drift of the machine hits all alike, and of
// each benchmark the best, the median and the spread. Google Benchmark's own options come after ours and win. The exit
// code is 1 when a benchmark has found something wrong.
#include <benchmark/benchmark.h>

#include <vector>

#include "support.h"

int main(int argc, char** argv) {
  char repetitions[] = "--benchmark_repetitions=9";
  char time[] = "--benchmark_min_time=0.2";
  char interleaved[] = "--benchmark_enable_random_interleaving=true";
  char aggregates[] = "--benchmark_display_aggregates_only=true";
  std::vector<char*> arguments{argv[0], repetitions, time, interleaved, aggregates};
  arguments.insert(arguments.end(), argv + 1, argv + argc);
  int count = static_cast<int>(arguments.size());
  arguments.push_back(nullptr);
  benchmark::Initialize(&count, arguments.data());
  if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 1;
  if (benchmark::RunSpecifiedBenchmarks() == 0) return 1;
  benchmark::Shutdown();
  return xichan::bench::failed.load() ? 1 : 0;
}
