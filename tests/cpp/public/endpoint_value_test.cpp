// Ends that travel inside values, and ends after a fork.
#include <sys/wait.h>
#include <unistd.h>

#include "public/public_support.h"

namespace xichan {
namespace {

using PublicEnds = test::PublicTest;

TEST_F(PublicEnds, SenderTravelsInValue) {
  auto [tx, rx] = open({});
  auto [answers, answer] = open({});
  Value end;
  ASSERT_EQ(answers.as_value(end), Status::ok);
  EXPECT_EQ(end.view().kind(), ValueKind::sender);
  EXPECT_EQ(answers.stats().senders, 2u);
  ASSERT_EQ(tx.send(tuple("question", std::move(end), 3)), Status::ok);
  answers.close();

  Value question;
  ASSERT_EQ(rx.recv(question), Status::ok);
  Receiver wrong;
  EXPECT_EQ(Receiver::open(question.view()[1], wrong), Status::not_found);
  EXPECT_EQ(Sender::open(question.view()[0], answers), Status::not_found);
  EXPECT_EQ(Sender::open(question.view()[9], answers), Status::not_found);
  ASSERT_EQ(Sender::open(question.view()[1], answers), Status::ok);
  question = Value();
  EXPECT_EQ(answer.stats().senders, 1u);
  ASSERT_EQ(answers.send(Value::of(42)), Status::ok);
  answers.close();
  ASSERT_EQ(answer.recv(question), Status::ok);
  EXPECT_EQ(question.view().as_integer(), 42);
  EXPECT_EQ(answer.recv(question), Status::closed);
}

TEST_F(PublicEnds, ReceiverInValueOpensTwice) {
  auto [tx, rx] = open({});
  Value value;
  ASSERT_EQ(rx.as_value(value), Status::ok);
  rx.close();
  EXPECT_EQ(value.view().kind(), ValueKind::receiver);
  Receiver one, two;
  ASSERT_EQ(Receiver::open(value.view(), one), Status::ok);
  ASSERT_EQ(Receiver::open(value.view(), two), Status::ok);
  EXPECT_EQ(tx.stats().receivers, 3u);
  value = Value();
  one.close();
  two.close();
  EXPECT_TRUE(tx.closed());
  EXPECT_EQ(rx.as_value(value), Status::end_closed);
  EXPECT_EQ(Receiver::open(ValueView(), one), Status::not_found);
}

TEST_F(PublicEnds, DroppedMessageReleasesItsEndpoint) {
  auto [tx, rx] = open({});
  auto [other_tx, other_rx] = open({});
  Value end;
  ASSERT_EQ(other_tx.as_value(end), Status::ok);
  other_tx.close();
  ASSERT_EQ(tx.send(tuple(tuple(end))), Status::ok);
  end = Value();
  EXPECT_FALSE(other_rx.closed());
  rx.close();
  EXPECT_TRUE(other_rx.closed());
}

TEST_F(PublicEnds, EndpointsOfOneChannelAreEqual) {
  auto [tx, rx] = open({});
  auto [other_tx, other_rx] = open({});
  Value a, b, c, d;
  ASSERT_EQ(tx.as_value(a), Status::ok);
  ASSERT_EQ(tx.as_value(b), Status::ok);
  ASSERT_EQ(other_tx.as_value(c), Status::ok);
  ASSERT_EQ(rx.as_value(d), Status::ok);
  EXPECT_TRUE(a == b && tuple(1, a) == tuple(1, b));
  EXPECT_FALSE(a == c || a == d);
}

TEST_F(PublicEnds, ParentEndpointsAreClosedInForkedChild) {
  auto [tx, rx] = open({});
  ASSERT_EQ(tx.send(text("a text that needs a block")), Status::ok);
  Value end;
  ASSERT_EQ(tx.as_value(end), Status::ok);
  const pid_t child = fork();
  if (child == 0) {
    Value value;
    std::size_t chosen;
    SelectCase cases[] = {rx};
    bool right = tx.send(Value()) == Status::end_closed && rx.recv(value) == Status::end_closed;
    right = right && tx.closed() && rx.closed() && !tx.clone() && rx.size() == 0 && tx.stats().senders == 0;
    right = right && select(cases, chosen) == Status::end_closed && tx.as_value(value) == Status::end_closed;
    Sender opened;
    right = right && Sender::open(end.view(), opened) == Status::not_found && !opened;
    tx.shutdown(true);
    tx.close();
    rx.close();
    Sender own_tx;
    Receiver own_rx;
    right = right && channel(1, own_tx, own_rx) == Status::ok && own_tx.send(Value::of(1)) == Status::ok;
    right = right && own_rx.recv(value) == Status::ok && value.view().as_integer() == 1;
    _exit(right ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  Value value;
  EXPECT_EQ(rx.recv(value), Status::ok) << "the parent is unharmed";
}

}  // namespace
}  // namespace xichan
